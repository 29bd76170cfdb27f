using MLTransfer.Benchmarks.Workloads;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Report;

/// <summary>Writes a model with random weights as a checkpoint in bfloat16, in a process of its own: making it takes memory too.</summary>
internal static class CheckpointCommand
{
    public static int Run(Arguments arguments)
    {
        using var network = BenchmarkedModel.Find(arguments.Model).Load(ScalarType.BFloat16);
        Directory.CreateDirectory(arguments.Output);
        network.Save(arguments.Output);
        return 0;
    }

    /// <summary>Runs it, and returns when the checkpoint is there.</summary>
    public static void Start(BenchmarkedModel model, string folder) =>
        BenchmarkProcess.Run("checkpoint", "--model", model.Id, "--output", folder);
}
