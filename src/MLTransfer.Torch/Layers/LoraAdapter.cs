using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Layers;

/// <summary>The trainable low-rank update of one linear layer: scale * B A x (LoRA, arXiv 2106.09685).</summary>
internal sealed class LoraAdapter : IDisposable
{
    private readonly double _dropout;

    /// <param name="a">[rank, input width].</param>
    /// <param name="b">[output width, rank].</param>
    /// <param name="scale">alpha / rank, or alpha / sqrt(rank) for rank-stabilized LoRA.</param>
    /// <param name="dropout">The probability with which inputs are zeroed in training.</param>
    public LoraAdapter(Tensor a, Tensor b, double scale, double dropout)
    {
        A = new Parameter(a.DetachFromDisposeScope(), requires_grad: true);
        B = new Parameter(b.DetachFromDisposeScope(), requires_grad: true);
        Scale = scale;
        _dropout = dropout;
    }

    public Parameter A { get; }

    public Parameter B { get; }

    public double Scale { get; }

    /// <summary>An adapter that changes nothing yet: A drawn as Kaiming uniform with slope sqrt(5), as peft does, and B zero.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="options">Rank, scale and dropout.</param>
    /// <param name="dataType">The type of the matrices.</param>
    /// <param name="device">Where they go.</param>
    /// <param name="generator">What A is drawn with; null for libtorch's own generator.</param>
    public static LoraAdapter Create(Linear layer, LoraOptions options, ScalarType dataType, Device device, Generator? generator)
    {
        using var gradients = no_grad();
        var bound = 1 / Math.Sqrt(layer.InputWidth);
        var a = empty(options.Rank, layer.InputWidth, dtype: dataType, device: device).uniform_(-bound, bound, generator);
        return new LoraAdapter(a, zeros(layer.OutputWidth, options.Rank, dtype: dataType, device: device), options.Scale, options.Dropout);
    }

    /// <summary>The layer's output [..., output width], with the update of its input [..., input width] added.</summary>
    /// <param name="input">[..., input width].</param>
    /// <param name="output">What the layer gave.</param>
    /// <param name="draws">Where dropout draws from.</param>
    /// <param name="training">Whether dropout is at work.</param>
    public Tensor Forward(Tensor input, Tensor output, DropoutSource draws, bool training)
    {
        using var scope = NewDisposeScope();
        var x = draws.Apply(input, _dropout, training);
        var narrow = F.linear(x, A.to(x.dtype)).view(-1, A.shape[0]); // [rows, rank]
        var rows = output.view(-1, output.shape[^1]);
        return addmm(rows, narrow, B.to(x.dtype).t(), 1, (float)Scale).view(output.shape).MoveToOuterDisposeScope();
    }

    /// <summary>Adds the update of [rows, input width] to [rows, output width], on the CPU and without gradients.</summary>
    public void Add(ReadOnlySpan<float> input, Span<float> output, DecodingStep step)
    {
        var (a, b) = (RowMatrix.Of(A, null, isOutputByInput: true), RowMatrix.Of(B, null, isOutputByInput: true));
        using var narrow = new RowBuffer(step.Rows * a.Outputs);
        RowProduct.Compute(input, step.Rows, a, narrow.Span, step.Threads);
        foreach (ref var value in narrow.Span)
            value *= (float)Scale;
        RowProduct.Compute(narrow.Span, step.Rows, b, output, step.Threads, accumulate: true);
    }

    /// <summary>scale * B A, [output width, input width].</summary>
    public Tensor WeightUpdate()
    {
        using var product = mm(B, A);
        return product * Scale;
    }

    public void Dispose()
    {
        A.Dispose();
        B.Dispose();
    }
}
