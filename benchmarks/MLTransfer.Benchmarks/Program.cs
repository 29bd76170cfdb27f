using BenchmarkDotNet.Running;
using MLTransfer.Benchmarks;
using MLTransfer.Benchmarks.Kernels;
using MLTransfer.Benchmarks.Report;
using MLTransfer.Benchmarks.Report.Audio;
using MLTransfer.Benchmarks.Report.Images;

try
{
    switch (args)
    {
        case ["report", .. var rest]:
            return ReportCommand.Run(Arguments.Parse(rest));
        case ["memory", .. var rest]:
            return MemoryCommand.Run(Arguments.Parse(rest));
        case ["memory-table", .. var rest]:
            return MemoryTableCommand.Run(Arguments.Parse(rest, steps: 5));
        case ["checkpoint", .. var rest]:
            return CheckpointCommand.Run(Arguments.Parse(rest));
        case ["stylegan", .. var rest]:
            return StyleGan2Command.Run(Arguments.Parse(rest, batchSize: 8, steps: 10));
        case ["audio", .. var rest]:
            return AudioCommand.Run(Arguments.Parse(rest, steps: 10));
        case ["pictures", .. var rest]:
            return TextToImageCommand.Run(Arguments.Parse(rest, steps: 5));
        case ["busy", .. var rest]:
            return BusyCommand.Run(Arguments.Parse(rest, steps: 5));
        case ["onnx", .. var rest]:
            return OnnxCommand.Run(Arguments.Parse(rest));
        case ["music", .. var rest]:
            return MusicCommand.Run(Arguments.Parse(rest, steps: 100, length: 500));
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
