"""Reports of a campaign for people: one HTML file that needs nothing else, and a PDF.

    Dashboard ──► content.py ──► charts.py: lines, boxes, words ──► html.py  one file, inline SVG
                  what it says                                 └──► pdf.py   fpdf2

Both say the same, because both show what `content.py` made. Neighbour: `weekly_report.py`, which
writes them.
"""
