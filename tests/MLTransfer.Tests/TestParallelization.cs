// Training seeds libtorch's generator, which a process has only one of.
[assembly: Xunit.Parallelization(Mode = Xunit.ParallelMode.None)]
