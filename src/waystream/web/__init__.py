"""The web: pages, the HTTP interface, live updates. The rim: everything foreign is parsed
and every error is told here.

`app.make_web` puts it together; pages read with SQL of their own and write only through the parts' actions.
"""
