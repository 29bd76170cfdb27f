using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Numerics.Rows;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Layers;

/// <summary>A linear layer y = x W + b that keeps its weight in the checkpoint's layout and may carry a LoRA adapter.</summary>
internal sealed class Linear : nn.Module<Tensor, Tensor>
{
    private readonly Parameter _weight;
    private readonly Parameter? _bias;

    /// <summary>Takes <c>weight</c> and <c>bias</c> from the scope.</summary>
    public Linear(
        WeightScope weights, int inputWidth, int outputWidth, WeightLayout layout, Initialization initialization, bool hasBias = true)
        : base(nameof(Linear))
    {
        InputWidth = inputWidth;
        OutputWidth = outputWidth;
        Layout = layout;
        _weight = layout == WeightLayout.InputByOutput
            ? weights.Take("weight", initialization, inputWidth, outputWidth)
            : weights.Take("weight", initialization, outputWidth, inputWidth);
        register_parameter("weight", _weight);
        if (hasBias)
        {
            _bias = weights.Take("bias", Initialization.Zeros, outputWidth);
            register_parameter("bias", _bias);
        }
    }

    /// <summary>The last dimension of the input.</summary>
    public int InputWidth { get; }

    /// <summary>The last dimension of the output.</summary>
    public int OutputWidth { get; }

    /// <summary>How the weight is stored.</summary>
    public WeightLayout Layout { get; }

    /// <summary>
    /// The type that the product is computed and returned in; null for the weight's own. With bfloat16 the weight stays a float32 master
    /// that gradients and optimizer work on, as under PyTorch's autocast.
    /// </summary>
    internal ScalarType? ComputeType { get; set; }

    /// <summary>The weight in the compute type, where it stays the same over many passes; null: each pass converts it.</summary>
    internal Tensor? ConvertedWeight { get; set; }

    /// <summary>Int8 numbers in place of the weight; null where it is not quantized.</summary>
    internal Int8Matrix? Quantized { get; private set; }

    /// <summary>Where an adapter's dropout draws from.</summary>
    internal DropoutSource DropoutSource { get; init; } = new();

    /// <summary>The weight in its <see cref="Layout"/>.</summary>
    internal Parameter Weight => _weight;

    /// <summary>The LoRA adapter whose output is added, or null.</summary>
    internal LoraAdapter? Adapter { get; set; }

    /// <summary>[..., input width] to [..., output width].</summary>
    public override Tensor forward(Tensor input)
    {
        if (Quantized is not null)
            return Int8Product.Compute(input, Quantized, _bias);
        using var scope = NewDisposeScope();
        var (weight, bias) = ((Tensor)_weight, (Tensor?)_bias);
        if (ComputeType is { } type)
            (input, weight, bias) = (input.to(type), ConvertedWeight ?? weight.to(type), bias?.to(type));
        var output = Layout == WeightLayout.OutputByInput ? F.linear(input, weight, bias) : MultiplyInputByOutput(input, weight, bias);
        if (Adapter is not null)
            output = Adapter.Forward(this, input, output, DropoutSource, training);
        return output.MoveToOuterDisposeScope();
    }

    /// <summary>output = activation(y) for [rows, input width], or output += that, on the CPU and without gradients.</summary>
    internal void Apply(
        ReadOnlySpan<float> input, Span<float> output, DecodingStep step, Activation activation = Activation.None, bool accumulate = false)
    {
        if (Quantized is not null)
        {
            Int8Product.Compute(input, Quantized, _bias is null ? default
                : NativeTensor.AsSpan<float>(_bias), output, step.Threads, activation, accumulate);
            return;
        }

        var matrix = RowMatrix.Of(_weight, _bias, Layout == WeightLayout.OutputByInput);
        if (Adapter is null)
        {
            RowProduct.Compute(input, step.Rows, matrix, output, step.Threads, activation, accumulate);
            return;
        }

        using var product = new RowBuffer(output.Length);
        RowProduct.Compute(input, step.Rows, matrix, product.Span, step.Threads);
        Adapter.Add(input, product.Span, step);
        RowProduct.Finish(product.Span, output, activation, accumulate);
    }

    /// <summary>Adds the adapter's update to the weight and drops the adapter.</summary>
    internal void MergeAdapter()
    {
        if (Adapter is null)
            return;
        using (no_grad())
        using (NewDisposeScope())
            _weight.copy_(MergedWeight());

        Adapter.Dispose();
        Adapter = null;
    }

    /// <summary>The weight with the adapter's update, in the weight's layout.</summary>
    internal Tensor MergedWeight()
    {
        var merged = Adapter!.Merged(this);
        return Layout == WeightLayout.OutputByInput ? merged : merged.t().contiguous();
    }

    /// <summary>The weight as [output width, input width], of the same memory.</summary>
    internal Tensor OutputByInput() => Layout == WeightLayout.OutputByInput ? _weight.alias() : _weight.t();

    /// <summary>Replaces the float32 weight, which is disposed, by int8 numbers.</summary>
    internal Int8Matrix QuantizeWeight()
    {
        Quantized = Int8Matrix.Quantize(_weight, Layout == WeightLayout.OutputByInput);
        _weight.Dispose();
        return Quantized;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Adapter?.Dispose();
            Quantized?.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    protected override void RegisterComponents()
    {
        // TorchSharp would register the fields once more, under their own names.
    }

    private Tensor MultiplyInputByOutput(Tensor input, Tensor weight, Tensor? bias)
    {
        var rows = input.reshape(-1, InputWidth); // [rows, input]
        var product = bias is null ? mm(rows, weight) : addmm(bias, rows, weight, 1, 1);
        return product.view([.. input.shape[..^1], OutputWidth]);
    }
}
