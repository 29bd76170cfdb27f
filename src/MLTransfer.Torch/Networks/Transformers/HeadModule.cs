using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Layers.Frozen;
using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Numerics.Rows;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Embedding = MLTransfer.Torch.Layers.Embedding;
using Linear = MLTransfer.Torch.Layers.Linear;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>Makes logits of hidden states.</summary>
internal sealed class HeadModule
{
    private readonly Head _head;
    private readonly Linear? _projection;
    private readonly Linear? _dense;
    private readonly Activation _activation;
    private readonly Normalization? _norm;
    private readonly Embedding? _table;
    private readonly Linear? _own;
    private readonly bool[] _libtorch = new bool[2]; // of one row, and of several

    public HeadModule(Head head, ModuleBuilder modules, int width, int weightWidth)
    {
        _head = head;
        if (head.Transform is { } transform)
        {
            _dense = modules.Linear(transform.Dense, width, width);
            _activation = transform.Activation;
            _norm = modules.Normalization(transform.Norm, width);
        }

        if (head.Projection is { } projection)
            _projection = modules.Linear(projection, width, weightWidth);
        _table = modules.FindTable(head.Weight);
        if (_table is null)
        {
            var name = head.Weight[..^".weight".Length];
            _own = modules.Linear(new Projection(name, HasBias: false, head.Deviation), weightWidth, head.Rows);
            LayerName = name;
        }

        if (head.Bias is { } bias)
            Bias = modules.Bias(bias, head.Rows);
    }

    /// <summary>The name of the layer, where the head has one of its own; null where it is tied to a table.</summary>
    public string? LayerName { get; }

    /// <summary>The number of logits.</summary>
    public int Rows => _head.Rows;

    /// <summary>[rows, width of the weight].</summary>
    public Parameter Weight => _own is null ? _table!.Weight : _own.Weight;

    /// <summary>Rows that are trained while the others are frozen; null for none.</summary>
    public TokenRows? TrainedRows => _own is null ? _table!.TrainedRows : _own.TrainedRows;

    /// <summary>The layer, where the head has one of its own; null where it is tied to a table.</summary>
    public Linear? Layer => _own;

    /// <summary>[rows] or [1, rows]; null for none.</summary>
    public Tensor? Bias { get; }

    /// <summary>Logits become cap tanh(logit / cap); null for no cap.</summary>
    public double? SoftCap => _head.SoftCap;

    /// <summary>The weight as integers, in its place.</summary>
    public QuantizedMatrix? Quantized => _own is null ? _table!.Quantized : _own.Quantized;

    /// <summary>The weight in the compute type, where it stays the same over many passes; null: each pass converts it.</summary>
    public Tensor? Converted { get; set; }

    /// <summary>What products are computed with in place of the weight while it is frozen; null for the weight itself.</summary>
    public FrozenMatrix? Frozen { get; set; }

    /// <summary>Whether the weight reads hidden states as they are.</summary>
    public bool ReadsHiddenStates => _dense is null && _projection is null && _head.Scale == 1;

    /// <summary>Says what computes the logits of one row, or of several.</summary>
    public void Use(DecodingKernels kernels, int rows) => _libtorch[rows == 1 ? 0 : 1] = kernels == DecodingKernels.Libtorch;

    /// <summary>What the weight is multiplied with: [..., width] to [..., width of the weight].</summary>
    public Tensor Features(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        var features = (_dense ?? _projection) is { Quantized: null, ComputeType: null } first && hidden.dtype != first.StreamType
            ? hidden.to(first.StreamType) // the rows of a decoding step are float32
            : hidden.alias();
        if (_dense is not null)
            features = _norm!.call(ActivationFunction.Apply(_activation, _dense.call(features)));
        if (_projection is not null)
            features = _projection.call(features);
        if (_head.Scale != 1)
            features = features * _head.Scale;
        return features.MoveToOuterDisposeScope();
    }

    /// <summary>Logits of features: [..., width of the weight] to [..., rows].</summary>
    /// <param name="features">What <see cref="Features"/> gave.</param>
    /// <param name="type">The type of the product; null for the weight's own.</param>
    public Tensor Logits(Tensor features, ScalarType? type)
    {
        using var scope = NewDisposeScope();
        var logits = Product(features, type);
        if (Bias is not null)
            logits = logits + Bias.view(-1);
        if (SoftCap is { } cap)
            logits = (logits / cap).tanh() * cap;
        return logits.MoveToOuterDisposeScope();
    }

    private Tensor Product(Tensor features, ScalarType? type)
    {
        if (Quantized is not null)
            return Quantized.Multiply(features, null);
        if (Frozen is not null)
            return FrozenFunction.Call(features.to(type ?? features.dtype), Frozen, byRows: true).to(ScalarType.Float32);
        if (RowProduct.Computes(features, Weight) && !_libtorch[features.numel() == features.shape[^1] ? 0 : 1])
            return RowProduct.Compute(features, Weight);
        if (type is null && Weight.dtype != features.dtype)
            return ProductInParts(features);
        return type is null
            ? nn.functional.linear(features, Weight)
            : nn.functional.linear(features.to(type.Value), Converted ?? Weight.to(type.Value)).to(ScalarType.Float32);
    }

    private Tensor ProductInParts(Tensor features)
    {
        if (is_grad_enabled() && features.requires_grad)
            return nn.functional.linear(features, Weight.to(features.dtype)); // the product's gradient needs all of it
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var rows = features.reshape(-1, features.shape[^1]);
        var logits = empty([rows.shape[0], Weight.shape[0]], rows.dtype, rows.device);
        WideProduct.Multiply(rows, Weight, logits);
        return logits.view([.. features.shape[..^1], Weight.shape[0]]).MoveToOuterDisposeScope();
    }
}
