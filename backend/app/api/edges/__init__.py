"""What stands between the network and the routes: pure ASGI, in one order, `app.api.edges.stack.add_edges`."""
