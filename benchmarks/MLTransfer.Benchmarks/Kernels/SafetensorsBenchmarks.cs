using BenchmarkDotNet.Attributes;
using MLTransfer.Models;
using MLTransfer.Torch.Checkpoints.Safetensors;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Kernels;

/// <summary>Opening the embedded model's checkpoint, and mapping all its tensors.</summary>
public class SafetensorsBenchmarks
{
    private readonly string _path = Path.Combine(TalesModel.Folder, "model.safetensors");

    [Benchmark(Baseline = true)]
    public int Open()
    {
        using var file = SafetensorsFile.Open(_path);
        return file.Tensors.Count;
    }

    [Benchmark]
    public long OpenAndReadAll()
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(_path);
        return file.Tensors.Keys.Sum(name => file.Read(name).numel());
    }
}
