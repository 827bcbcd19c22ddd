"""What runs left.

`finding.py` lists artifacts and follows their lineage, `fetching.py` copies and verifies them, `reruns.py` plans a
stage of a run again, `comparison.py` holds runs against one another and `comparison_view.py` shows that,
`completing.py` lets a model finish a text.
"""
