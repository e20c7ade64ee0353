"""How things look: ``canvas``, ``themes``, ``cells`` and ``amounts`` (values as people read them), ``chart``, ``chrome`` (header, tabs,
footer), ``popup``.
"""
