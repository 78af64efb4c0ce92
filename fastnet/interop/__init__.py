"""Networks from and for other libraries; each library is imported where it is needed."""
