using MLTransfer.Torch.Networks.StyleGan2;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Benchmarks.Workloads.Images;

/// <summary>A training loop as TorchSharp's examples write one for GANs, with TorchSharp's Adam.</summary>
internal sealed class PlainImageTraining : ImageTrainingVariant
{
    private readonly PlainStyleGan2 _networks;
    private readonly optim.Optimizer _generatorOptimizer;
    private readonly optim.Optimizer _discriminatorOptimizer;
    private readonly Tensor _real;
    private readonly int _latentWidth;
    private double _pathLengthMean;

    public PlainImageTraining(StyleGan2Model model, Tensor real)
        : base("plain TorchSharp")
    {
        _networks = new PlainStyleGan2(model);
        (_real, _latentWidth) = (real, model.Generator.LatentWidth);
        _generatorOptimizer = optim.Adam(_networks.GeneratorParameters, lr: 0.002, beta1: 0, beta2: 0.99);
        _discriminatorOptimizer = optim.Adam(_networks.DiscriminatorParameters, lr: 0.002, beta1: 0, beta2: 0.99);
    }

    public override void UpdateBoth()
    {
        using var scope = NewDisposeScope();
        _generatorOptimizer.zero_grad();
        F.softplus(-_networks.Discriminate(Generate())).mean().backward();
        _generatorOptimizer.step();

        _discriminatorOptimizer.zero_grad();
        var loss = F.softplus(_networks.Discriminate(Generate().detach())).mean() + F.softplus(-_networks.Discriminate(_real)).mean();
        loss.backward();
        _discriminatorOptimizer.step();
    }

    public override void RegularizeGenerator()
    {
        using var scope = NewDisposeScope();
        _generatorOptimizer.zero_grad();
        var w = _networks.Map(randn(_real.shape[0] / 2, _latentWidth));
        var images = _networks.Synthesize(w);
        var noise = randn_like(images) / Math.Sqrt(images.shape[2] * images.shape[3]);
        var gradient = autograd.grad([(images * noise).sum()], [w], retain_graph: true, create_graph: true)[0];
        var lengths = gradient.square().sum(2).mean([1]).sqrt();
        _pathLengthMean += 0.01 * (lengths.mean().item<float>() - _pathLengthMean);
        ((lengths - _pathLengthMean).square().mean() * 8).backward();
        _generatorOptimizer.step();
    }

    public override void RegularizeDiscriminator()
    {
        using var scope = NewDisposeScope();
        _discriminatorOptimizer.zero_grad();
        var images = _real.detach().requires_grad_(true);
        var gradient = autograd.grad([_networks.Discriminate(images).sum()], [images], retain_graph: true, create_graph: true)[0];
        (gradient.square().sum([1, 2, 3]).mean() * 8).backward();
        _discriminatorOptimizer.step();
    }

    public override void Dispose()
    {
        _generatorOptimizer.Dispose();
        _discriminatorOptimizer.Dispose();
        _networks.Dispose();
    }

    private Tensor Generate() => _networks.Synthesize(_networks.Map(randn(_real.shape[0], _latentWidth)));
}
