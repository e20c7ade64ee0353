"""How things look: ``canvas``, ``themes``, ``cells`` and ``amounts`` (values as people read them), ``chart``, ``chrome`` (header, tabs,
footer), ``popup``; and ``pasting``, the terminal that they are shown on.
"""
