using BenchmarkDotNet.Attributes;
using TorchSharp.Modules;
using static TorchSharp.torch;
using AdamW = MLTransfer.Torch.Training.Optimizers.AdamW;

namespace MLTransfer.Benchmarks.Kernels;

/// <summary>The optimizer's two passes over memory, for one matrix.</summary>
public class OptimizerBenchmarks : IDisposable
{
    private Parameter _parameter = null!;
    private AdamW _library = null!;
    private optim.Optimizer _plain = null!;

    [Params(1 << 18, 1 << 24)]
    public int Parameters { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _parameter = new Parameter(randn(Parameters));
        _parameter.grad = randn(Parameters);
        _library = new AdamW([("weight", _parameter, Decays: true)], 0.9, 0.999, 1e-8);
        _plain = optim.AdamW([_parameter], lr: 1e-5, weight_decay: 0.01);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _library.Dispose();
        _plain.Dispose();
        _parameter.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark]
    public double GradientNorm() => _library.GradientNorm();

    [Benchmark]
    public void Step() => _library.Step(learningRate: 1e-5, weightDecay: 0.01, gradientFactor: 0.5);

    [Benchmark(Baseline = true)]
    public void TorchSharpStep()
    {
        using var scope = NewDisposeScope();
        _plain.step();
    }
}
