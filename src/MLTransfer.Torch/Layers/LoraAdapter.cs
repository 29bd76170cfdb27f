using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Numerics.Rows;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Layers;

/// <summary>The trainable low-rank update of one linear layer: scale * B A x (LoRA, arXiv 2106.09685).</summary>
internal sealed class LoraAdapter : IDisposable
{
    /// <summary>What follows the layer's name in that of its magnitudes.</summary>
    public const string MagnitudeName = "lora_magnitude_vector";

    private readonly double _dropout;

    /// <param name="a">[rank, input width].</param>
    /// <param name="b">[output width, rank].</param>
    /// <param name="magnitude">[output width], the lengths of the adapted weight's rows (DoRA); null where they are not trained
    /// apart.</param>
    /// <param name="scale">alpha / rank, or alpha / sqrt(rank) for rank-stabilized LoRA.</param>
    /// <param name="dropout">The probability with which inputs are zeroed in training.</param>
    public LoraAdapter(Tensor a, Tensor b, Tensor? magnitude, double scale, double dropout)
    {
        A = new Parameter(a.DetachFromDisposeScope(), requires_grad: true);
        B = new Parameter(b.DetachFromDisposeScope(), requires_grad: true);
        Magnitude = magnitude is null ? null : new Parameter(magnitude.DetachFromDisposeScope(), requires_grad: true);
        Scale = scale;
        _dropout = dropout;
    }

    public Parameter A { get; }

    public Parameter B { get; }

    /// <summary>[output width]; null without weight decomposition.</summary>
    public Parameter? Magnitude { get; }

    public double Scale { get; }

    /// <summary>What is trained, under the names that follow the layer's in peft's files.</summary>
    public IEnumerable<(string Name, Parameter Parameter)> Parameters =>
        Magnitude is null
            ? [("lora_A.weight", A), ("lora_B.weight", B)]
            : [("lora_A.weight", A), ("lora_B.weight", B), (MagnitudeName, Magnitude)];

    /// <summary>An adapter that changes nothing yet: A drawn as Kaiming uniform with slope sqrt(5), as peft does, and B zero.</summary>
    /// <param name="name">The layer's name.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="options">Rank, scale and dropout.</param>
    /// <param name="dataType">The type of the matrices.</param>
    /// <param name="device">Where they go.</param>
    /// <param name="generator">What A is drawn with; null for libtorch's own generator.</param>
    public static LoraAdapter Create(
        string name, Linear layer, LoraOptions options, ScalarType dataType, Device device, Generator? generator)
    {
        using var gradients = no_grad();
        var (bound, rank) = (1 / Math.Sqrt(layer.InputWidth), options.RankOf(name));
        var a = SeededTensors.Filled(
            [rank, layer.InputWidth], dataType, device, generator, matrix => matrix.uniform_(-bound, bound, generator));
        var b = zeros(layer.OutputWidth, rank, dtype: dataType, device: device);
        var magnitude = options.WeightDecomposed ? LengthsOfRows(layer.OutputByInput()).to(dataType) : null;
        return new LoraAdapter(a, b, magnitude, options.ScaleOf(name), options.Dropout);
    }

    /// <summary>The layer's output [..., output width], with the update of its input [..., input width] added.</summary>
    /// <param name="layer">The layer, for its weight [output width, input width] and bias.</param>
    /// <param name="input">[..., input width].</param>
    /// <param name="output">What the layer gave.</param>
    /// <param name="draws">Where dropout draws from.</param>
    /// <param name="training">Whether dropout is at work.</param>
    public Tensor Forward(Linear layer, Tensor input, Tensor output, DropoutSource draws, bool training)
    {
        using var scope = NewDisposeScope();
        var x = draws.Apply(input, _dropout, training);
        if (Magnitude is not null)
        {
            // m / |W + s B A| times each row of (W + s B A) x, where the layer gave W x already; the length is a constant of the gradient
            var ratio = Ratio(layer).to(x.dtype);
            var update = F.linear(F.linear(x, A.to(x.dtype)), B.to(x.dtype)) * Scale;
            var plain = F.linear(x, layer.OutputByInput().to(x.dtype));
            return (output + (ratio - 1) * plain + ratio * update).MoveToOuterDisposeScope();
        }

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

    /// <summary>The layer's weight with the update, [output width, input width], without gradients.</summary>
    public Tensor Merged(Linear layer)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var sum = layer.OutputByInput() + mm(B, A) * Scale;
        return (Magnitude is null ? sum : Ratio(layer).to(sum.dtype).unsqueeze(1) * sum).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        A.Dispose();
        B.Dispose();
        Magnitude?.Dispose();
    }

    /// <summary>Magnitude / length of each row of the adapted weight: [output width].</summary>
    private Tensor Ratio(Linear layer)
    {
        using var scope = NewDisposeScope();
        Tensor lengths;
        using (no_grad())
            lengths = LengthsOfRows(layer.OutputByInput() + mm(B, A) * Scale);
        return (Magnitude! / lengths).MoveToOuterDisposeScope();
    }

    private static Tensor LengthsOfRows(Tensor weight) => linalg.norm(weight.to(ScalarType.Float32), dims: [1]);
}
