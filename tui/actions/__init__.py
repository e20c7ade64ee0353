"""What the keys do that is about more than one widget: ``view_actions``, ``result_actions``."""
