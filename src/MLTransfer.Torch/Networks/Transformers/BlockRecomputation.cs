using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>
/// Keeps the inputs of a model's blocks instead of all that their backward pass needs, which is computed a second time then (Chen et al.
/// 2016, "Training Deep Nets with Sublinear Memory Cost", arXiv 1604.06174). For one forward pass and its backward pass.
/// </summary>
/// <param name="seed">What dropout's random numbers are made from: both times the same.</param>
/// <param name="draws">Where the blocks' dropout draws from.</param>
internal sealed class BlockRecomputation(long seed, DropoutSource draws) : IDisposable
{
    private readonly List<(Tensor Input, Func<Tensor, Tensor> Block)> _blocks = [];
    private readonly List<Tensor> _kept = [];
    private Tensor? _start;
    private Tensor? _end;

    /// <summary>For another stack of the same pass, with random numbers of its own.</summary>
    public BlockRecomputation Next() => new((long)SplitMix64.Mix((ulong)seed, ulong.MaxValue), draws);

    /// <summary>Keeps what blocks read beside their input alive until the backward pass has been.</summary>
    public void Keep(Tensor? tensor)
    {
        if (tensor is not null)
            _kept.Add(tensor.DetachFromDisposeScope());
    }

    /// <summary>Computes a block without a graph and remembers its input.</summary>
    /// <param name="input">The output of the block before, or of what comes before the first block.</param>
    /// <param name="block">Is called again in the backward pass; what it captures must live until then.</param>
    public Tensor Forward(Tensor input, Func<Tensor, Tensor> block)
    {
        _start ??= input.alias().DetachFromDisposeScope(); // with the graph behind it
        using var gradients = no_grad();
        _blocks.Add((input.detach().DetachFromDisposeScope(), block));
        Seed(_blocks.Count - 1);
        return block(input);
    }

    /// <summary>The output of the last block as the place where the rest of the graph begins.</summary>
    public Tensor End(Tensor output)
    {
        _end = output.detach().requires_grad_(true).DetachFromDisposeScope();
        return _end.alias();
    }

    /// <summary>Takes the gradient of what came after the blocks back through them, to the gradients of all parameters.</summary>
    public void Backward()
    {
        using var scope = NewDisposeScope();
        var gradient = _end!.grad!;
        for (var i = _blocks.Count - 1; i >= 0; i--)
        {
            using var blockScope = NewDisposeScope();
            var (input, block) = _blocks[i];
            input.requires_grad_(true);
            Seed(i);
            autograd.backward(block(input), gradient);
            gradient = input.grad!.MoveToOuterDisposeScope();
            input.Dispose();
        }

        if (_start!.requires_grad)
            autograd.backward(_start, gradient);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _blocks.Select(block => block.Input).Concat(_kept))
            tensor.Dispose();
        _start?.Dispose();
        _end?.Dispose();
    }

    private void Seed(int block)
    {
        var own = (long)SplitMix64.Mix((ulong)seed, (ulong)block);
        if (draws.Generator is { } generator)
            generator.manual_seed(own);
        else
            manual_seed(own);
    }
}
