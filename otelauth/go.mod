module github.com/seed-077cad0b/auth/otelauth

go 1.26.0

replace github.com/seed-077cad0b/auth => ..
