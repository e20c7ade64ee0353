module volley.example/usql

go 1.25.0

require github.com/xo/usql v0.19.24
