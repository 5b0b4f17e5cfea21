"""The report of a case: one HTML file that needs nothing but a browser.

Question: how do executed notebooks become a page that can be handed to a board, kept for years and
opened on a train?

- :func:`write_report`: notebooks and results to one file.
- :mod:`~keycustomer.casework.report.front`: what stands before the chapters, and the appendix.
- :mod:`~keycustomer.casework.report.chapters`: a notebook as a chapter: inputs, exercises and
  solutions folded, instructor's notes left out, headings anchored.
- :mod:`~keycustomer.casework.report.outputs`: what a cell has shown.
- :mod:`~keycustomer.casework.report.prose`: Markdown, with equations as MathML.
- :mod:`~keycustomer.casework.report.cleaning`: HTML that came from elsewhere, made harmless.

The page holds no script, and loads nothing: images are data URIs, equations MathML, fonts the
reader's own; a content security policy in its head holds the browser to that.  A figure's text
alternative is the key ``alt`` of its output's metadata, under ``image/png`` or beside it, as
:meth:`keycustomer.casework.Chapter.figure` writes it.

nbconvert is not used: its import alone costs ten times what the whole export takes, and its
templates refer to scripts on the web.
"""

from keycustomer.casework.report.page import write_report

__all__ = ["write_report"]
