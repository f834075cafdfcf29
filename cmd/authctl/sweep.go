package main

import (
	"context"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// sweepBite is how many records one statement removes.
const sweepBite = 1000

func (a *app) sweepCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "sweep",
		Short: "Remove what has long expired",
		Long: `Sweep removes records that are past the time until which they are kept. It frees
space and changes no answer. An API that runs does so by itself.`,
		Args: arguments(0, 0),
		RunE: a.with(func(ctx context.Context, s *backend, _ []string) error {
			if s.sweeper == nil {
				a.note("this store forgets by itself; there is nothing to sweep")
				return nil
			}
			bar := a.progress("sweeping", -1)
			defer bar.end()
			total := 0
			for {
				n, err := s.sweeper.Sweep(ctx, sweepBite)
				total += n
				bar.add(n)
				switch {
				case err != nil:
					return answer(err)
				case n < sweepBite:
					bar.end()
					a.note("removed %s", plural(total, "expired record"))
					return nil
				}
			}
		}),
	}
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of authctl",
		Args:  arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			v := struct {
				Version string `json:"version"`
				Export  int    `json:"export_version"`
				Go      string `json:"go"`
			}{"unknown", exportVersion, runtime.Version()}
			if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
				v.Version = info.Main.Version
			}
			return a.show(v, field{"authctl", v.Version}, field{"go", v.Go})
		},
	}
}
