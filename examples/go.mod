module github.com/seed-077cad0b/auth/examples

go 1.26.0

require github.com/seed-077cad0b/auth v0.0.0

replace github.com/seed-077cad0b/auth => ../
