"""WoSIS snapshots of ISRIC, 2019 and 2023: from the published tables to one table of layers.

`snapshot.read` is the way in; `proda wosis` calls it and writes the table that a study of one's
own is made from. Carbon and bulk density are those of the fine earth, depths are in cm.
"""
