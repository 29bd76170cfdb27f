using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Description;
using static TorchSharp.torch;
using Linear = MLTransfer.Torch.Layers.Linear;

namespace MLTransfer.Torch.Training.Language;

/// <summary>How many numbers a transformer has, and which of them a run trains, as far as its memory depends on it.</summary>
internal sealed class TrainedParts
{
    private readonly TransformerNetwork _network;
    private readonly List<Part> _parameters;
    private readonly HashSet<string> _trained;
    private readonly Dictionary<string, long> _adapters; // elements by the layer's name
    private readonly long _tokenRows;

    private TrainedParts(TransformerNetwork network, IEnumerable<(string Name, Linear Layer, int Rank)> adapters, bool trainsWeights)
    {
        _network = network;
        _tokenRows = trainsWeights ? network.TrainedTokenRows().Sum(rows => rows.Rows.Values.numel()) : 0;
        _adapters = adapters.ToDictionary(a => a.Name, a => (long)a.Rank * (a.Layer.InputWidth + a.Layer.OutputWidth));
        var linears = network.LinearLayers().Select(l => l.Name + ".weight").ToHashSet();
        _parameters =
        [
            .. network.named_parameters().Select(p => new Part(
                p.name, p.parameter.numel(), p.parameter.dtype, trainsWeights && p.parameter.requires_grad, linears.Contains(p.name),
                network.Output.Heads.Any(head => ReferenceEquals(head.Weight, p.parameter)))),
        ];
        _trained = [.. _parameters.Where(p => p.Trained).Select(p => p.Name)];
    }

    private long Adapters => _adapters.Values.Sum() + _tokenRows;

    /// <summary>As the network is.</summary>
    public static TrainedParts Of(TransformerNetwork network) => new(
        network, network.AdaptedLayers().Select(l => (l.Name, l.Layer, (int)l.Layer.Adapter!.A.shape[0])), trainsWeights: true);

    /// <summary>As it would be with new adapters; null where it has some, or no layer for them.</summary>
    public static TrainedParts? WithAdapters(TransformerNetwork network, LoraOptions options) => network.Lora is not null
        || !network.LinearLayers().Any() ? null : new TrainedParts(
            network,
            LoraTargets.Find(network, LoraTargets.Named(network, options))
                .Select(target => (target.Name, target.Layer, options.RankOf(target.Name))),
            trainsWeights: false);

    /// <summary>The bytes of all weights, adapters included.</summary>
    public long Bytes => _parameters.Sum(p => p.Bytes) + Adapters * NativeTensor.ElementSize(_network.DataType);

    /// <summary>The elements of what is trained.</summary>
    public long Trained => Sum(p => p.Trained) + Adapters;

    /// <summary>The elements of trained weights of matrix products.</summary>
    public long TrainedMatrices => Sum(p => p.Trained && (p.IsLinear || p.IsHead));

    /// <summary>The same without the output head's.</summary>
    public long TrainedLinears => Sum(p => p.Trained && p.IsLinear && !p.IsHead);

    /// <summary>The elements and bytes of frozen weights of matrix products that are of another type than products.</summary>
    public (long Elements, long Bytes) Converted(ScalarType type)
    {
        var parts = _parameters.Where(p => !p.Trained && (p.IsLinear || p.IsHead) && p.Type != type).ToList();
        return (parts.Sum(p => p.Elements), parts.Sum(p => p.Bytes));
    }

    /// <summary>The elements of frozen weights of layers and of output heads, and the bytes of both.</summary>
    public (long Layers, long Heads, long Bytes) Frozen()
    {
        var parts = _parameters.Where(p => !p.Trained && (p.IsLinear || p.IsHead)).ToList();
        return (parts.Where(p => !p.IsHead).Sum(p => p.Elements), parts.Where(p => p.IsHead).Sum(p => p.Elements), parts.Sum(p => p.Bytes));
    }

    /// <summary>The elements of a block's weights that are kept in a narrower type than the network's.</summary>
    public long Narrow(string blockPrefix) => _parameters
        .Where(p => p.IsLinear && p.Type != _network.DataType && p.Name.StartsWith(blockPrefix, StringComparison.Ordinal))
        .Sum(p => p.Elements);

    /// <summary>Whether a linear layer keeps its input for its backward pass: to train its weight, or its adapter.</summary>
    public bool KeepsInput(Projection projection) => _adapters.ContainsKey(projection.Name)
        || _trained.Contains(projection.Name + ".weight");

    /// <summary>The number of blocks in front of which nothing is trained: they keep nothing.</summary>
    public int BlocksWithoutGraph()
    {
        var prefixes = _network.BlockPrefixes;
        if (_tokenRows > 0 || _trained.Any(_network.IsEmbedding))
            return 0;
        var count = 0;
        while (count < prefixes.Count && !IsTrained(prefixes[count]))
            count++;
        return count;

        bool IsTrained(string prefix) => _trained.Any(name => name.StartsWith(prefix, StringComparison.Ordinal))
            || _adapters.Keys.Any(name => name.StartsWith(prefix, StringComparison.Ordinal));
    }

    private long Sum(Func<Part, bool> counts) => _parameters.Where(counts).Sum(p => p.Elements);

    private sealed record Part(string Name, long Elements, ScalarType Type, bool Trained, bool IsLinear, bool IsHead)
    {
        public long Bytes => Elements * NativeTensor.ElementSize(Type);
    }
}
