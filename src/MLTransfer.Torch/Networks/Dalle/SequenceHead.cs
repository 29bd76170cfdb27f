using System.Numerics.Tensors;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using Tensor = TorchSharp.torch.Tensor;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>Makes logits of the last states: a position that predicts text has those of text alone, the others those of codes.</summary>
internal sealed class SequenceHead
{
    private readonly DalleConfiguration _sizes;
    private readonly Normalization _norm;

    public SequenceHead(DalleConfiguration sizes, DalleBuilder builder)
    {
        _sizes = sizes;
        _norm = builder.Normalization(DalleNames.HeadNorm, sizes.Width);
        Layer = builder.Linear(DalleNames.Head, sizes.Width, sizes.Logits);
    }

    /// <summary>The rows of text tokens with padding, then those of codes.</summary>
    public Linear Layer { get; }

    /// <summary>What logits are made of: [B, T, width] to the same shape.</summary>
    public Tensor Features(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        var states = _sizes.Stable ? hidden / hidden.amax([-1], keepdim: true).detach() : hidden;
        return _norm.call(states).MoveToOuterDisposeScope();
    }

    /// <summary>Logits of the text's tokens: [..., width] to [..., text rows] float32.</summary>
    public Tensor TextLogits(Tensor features) => Logits(features, 0, _sizes.TextRows);

    /// <summary>Logits of codes: [..., width] to [..., codes] float32.</summary>
    public Tensor CodeLogits(Tensor features) => Logits(features, _sizes.TextRows, _sizes.CodebookSize);

    /// <summary>Logits of codes of one position of each row.</summary>
    /// <param name="hidden">The last states: [rows, width]; they are changed.</param>
    /// <param name="logits">[rows, codes].</param>
    /// <param name="step">The number of rows, and threads.</param>
    public void Step(Span<float> hidden, Span<float> logits, DecodingStep step)
    {
        for (var start = 0; _sizes.Stable && start < hidden.Length; start += _sizes.Width)
        {
            var row = hidden.Slice(start, _sizes.Width);
            TensorPrimitives.Divide(row, TensorPrimitives.Max<float>(row), row);
        }

        _norm.Apply(hidden, hidden);
        using var weight = Layer.Weight.narrow(0, _sizes.TextRows, _sizes.CodebookSize);
        using var bias = Layer.Bias!.narrow(0, _sizes.TextRows, _sizes.CodebookSize);
        RowProduct.Compute(hidden, step.Rows, RowMatrix.Of(weight, bias, isOutputByInput: true), logits, step.Threads);
    }

    private Tensor Logits(Tensor features, int first, int count)
    {
        using var scope = NewDisposeScope();
        Tensor all = Layer.Weight;
        if (Layer.TrainedRows is { } trained && is_grad_enabled())
            all = trained.JoinTable(all);
        var (weight, bias) = (all.narrow(0, first, count), Layer.Bias!.narrow(0, first, count));
        if (Layer.ComputeType is { } type)
            (features, weight, bias) = (features.to(type), weight.to(type), bias.to(type));
        return F.linear(features, weight, bias).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }
}
