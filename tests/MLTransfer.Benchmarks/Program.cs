using BenchmarkDotNet.Running;
using MLTransfer.Benchmarks;
using MLTransfer.Benchmarks.Kernels;
using MLTransfer.Benchmarks.Report;

try
{
    switch (args)
    {
        case ["report", .. var rest]:
            return ReportCommand.Run(Arguments.Parse(rest));
        case ["memory", .. var rest]:
            return MemoryCommand.Run(Arguments.Parse(rest));
        case ["onnx", .. var rest]:
            return OnnxCommand.Run(Arguments.Parse(rest));
        case ["--help" or "-h"]:
            Console.WriteLine(Arguments.Usage);
            return 0;
        default:
            BenchmarkSwitcher.FromAssembly(typeof(Arguments).Assembly).Run(args, KernelConfiguration.Create());
            return 0;
    }
}
catch (ArgumentException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}
