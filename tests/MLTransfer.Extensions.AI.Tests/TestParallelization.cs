// Training seeds libtorch's generator, which a process has only one of.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
