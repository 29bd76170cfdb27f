using System.Numerics.Tensors;
using MLTransfer.Torch.Layers.Frozen;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Numerics.Rows;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Layers;

/// <summary>A linear layer y = x W + b that keeps its weight in the checkpoint's layout and may carry a LoRA adapter.</summary>
internal sealed class Linear : nn.Module<Tensor, Tensor>
{
    private readonly ScalarType _streamType;
    private Parameter _weight;
    private readonly Parameter? _bias;

    /// <summary>Takes <c>weight</c> and <c>bias</c> from the scope.</summary>
    public Linear(
        WeightScope weights, int inputWidth, int outputWidth, WeightLayout layout, Initialization initialization, bool hasBias = true,
        Initialization biasInitialization = default)
        : base(nameof(Linear))
    {
        InputWidth = inputWidth;
        OutputWidth = outputWidth;
        Layout = layout;
        _streamType = weights.DataType;
        _weight = layout == WeightLayout.InputByOutput
            ? weights.TakeMatrix("weight", initialization, inputWidth, outputWidth)
            : weights.TakeMatrix("weight", initialization, outputWidth, inputWidth);
        register_parameter("weight", _weight);
        if (hasBias)
        {
            _bias = weights.Take("bias", biasInitialization, outputWidth);
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
    /// The type that the product is computed and returned in; null for that of the network. With bfloat16 the weight stays a float32 master
    /// that gradients and optimizer work on, as under PyTorch's autocast. A weight that is kept in a narrower type than the network's is
    /// converted for each product: libtorch's products of float16 are slow on a CPU.
    /// </summary>
    internal ScalarType? ComputeType { get => field ?? (Quantized is not null || _weight.dtype == _streamType ? null : _streamType); set; }

    /// <summary>The type of what goes through the network.</summary>
    internal ScalarType StreamType => _streamType;

    /// <summary>The weight in the compute type, where it stays the same over many passes; null: each pass converts it.</summary>
    internal Tensor? ConvertedWeight { get; set; }

    /// <summary>Integers in place of the weight; null where it is not quantized.</summary>
    internal QuantizedMatrix? Quantized { get; private set; }

    /// <summary>What products are computed with in place of the weight while it is frozen; null for the weight itself.</summary>
    internal FrozenMatrix? Frozen { get; set; }

    /// <summary>Where an adapter's dropout draws from.</summary>
    internal DropoutSource DropoutSource { get; init; } = new();

    /// <summary>The weight in its <see cref="Layout"/>.</summary>
    internal Parameter Weight => _weight;

    /// <summary>[output width]; null for none.</summary>
    internal Parameter? Bias => _bias;

    /// <summary>The LoRA adapter whose output is added, or null.</summary>
    internal LoraAdapter? Adapter { get; set; }

    /// <summary>Of an output head: the rows of tokens that are trained while the others are frozen; null for none.</summary>
    internal TokenRows? TrainedRows { get; set; }

    /// <summary>[..., input width] to [..., output width].</summary>
    public override Tensor forward(Tensor input)
    {
        if (Quantized is not null)
            return Quantized.Multiply(input, _bias);
        using var scope = NewDisposeScope();
        if (ComputeType is { } type)
            input = input.to(type);
        var output = Frozen is null ? Multiply(input) : MultiplyFrozen(input, Frozen);
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
            Quantized.Multiply(
                input, _bias is null ? default : NativeTensor.AsSpan<float>(_bias), output, step.Threads, activation, accumulate);
            return;
        }

        var hasKernelBias = _bias is null || _bias.dtype == _weight.dtype;
        if (Adapter is null && hasKernelBias)
        {
            Multiply(input, output, step, _bias, activation, accumulate);
            return;
        }

        using var product = new RowBuffer(output.Length);
        Multiply(input, product.Span, step, hasKernelBias ? _bias : null);
        if (!hasKernelBias)
            AddBias(product.Span);
        Adapter?.Add(input, product.Span, step);
        RowProduct.Finish(product.Span, output, activation, accumulate);
    }

    private void Multiply(
        ReadOnlySpan<float> input, Span<float> output, DecodingStep step, Tensor? bias, Activation activation = Activation.None,
        bool accumulate = false)
    {
        var isOutputByInput = Layout == WeightLayout.OutputByInput;
        if (step.UsesLibtorch)
        {
            LibtorchProduct.Compute(input, step.Rows, _weight, bias, isOutputByInput, output, activation, accumulate);
        }
        else
        {
            RowProduct.Compute(
                input, step.Rows, RowMatrix.Of(_weight, bias, isOutputByInput), output, step.Threads, activation, accumulate);
        }
    }

    /// <summary>Adds the adapter's update to the weight and drops the adapter.</summary>
    internal void MergeAdapter()
    {
        if (Adapter is null)
            return;
        using (no_grad())
        using (NewDisposeScope())
        {
            if (_weight.dtype == _streamType)
                _weight.copy_(MergedWeight());
            else
                ReplaceWeight(MergedWeight()); // its own type has not the digits of a small update
        }

        Adapter.Dispose();
        Adapter = null;
    }

    /// <summary>The weight with the adapter's update, in the weight's layout.</summary>
    internal Tensor MergedWeight()
    {
        var merged = Adapter!.Merged(this);
        return Layout == WeightLayout.OutputByInput ? merged : merged.t().contiguous();
    }

    /// <summary>Makes a weight that is kept in a narrower type one of the network's type, so that it can be trained.</summary>
    internal void WidenWeight()
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        if (_weight.dtype != _streamType)
            ReplaceWeight(_weight.to(_streamType));
    }

    /// <summary>The weight as [output width, input width], of the same memory.</summary>
    internal Tensor OutputByInput() => Layout == WeightLayout.OutputByInput ? _weight.alias() : _weight.t();

    /// <summary>Replaces the float32 weight, which is disposed, by integers.</summary>
    internal QuantizedMatrix QuantizeWeight(Quantization quantization)
    {
        using var wide = _weight.to(ScalarType.Float32);
        Quantized = quantization(wide, Layout == WeightLayout.OutputByInput);
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
            TrainedRows?.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    protected override void RegisterComponents()
    {
        // TorchSharp would register the fields once more, under their own names.
    }

    private void ReplaceWeight(Tensor weight)
    {
        using var narrow = _weight;
        _weight = new Parameter(weight.DetachFromDisposeScope(), narrow.requires_grad);
        ConditionallyRegisterParameter("weight", _weight);
    }

    /// <summary>Adds the bias, which is of another type than the weight, to rows of outputs.</summary>
    private void AddBias(Span<float> rows)
    {
        using var bias = new RowBuffer(OutputWidth);
        FloatRows.Read(_bias!, 0, bias.Span);
        for (var start = 0; start < rows.Length; start += OutputWidth)
            TensorPrimitives.Add(rows.Slice(start, OutputWidth), bias.Span, rows.Slice(start, OutputWidth));
    }

    private Tensor Multiply(Tensor input)
    {
        var (weight, bias) = ((Tensor)_weight, (Tensor?)_bias);
        if (ComputeType is { } type)
            (weight, bias) = (ConvertedWeight ?? weight.to(type), bias?.to(type));
        return Layout == WeightLayout.OutputByInput ? F.linear(input, weight, bias) : MultiplyInputByOutput(input, weight, bias);
    }

    private Tensor MultiplyFrozen(Tensor input, FrozenMatrix matrix)
    {
        var product = FrozenFunction.Call(input, matrix, byRows: Layout == WeightLayout.OutputByInput);
        return _bias is null ? product : product + _bias.to(product.dtype);
    }

    private Tensor MultiplyInputByOutput(Tensor input, Tensor weight, Tensor? bias)
    {
        var rows = input.reshape(-1, InputWidth); // [rows, input]
        var product = bias is null ? mm(rows, weight) : addmm(bias, rows, weight, 1, 1);
        return product.view([.. input.shape[..^1], OutputWidth]);
    }
}
