using System.IO.Enumeration;

namespace MLTransfer.Torch.Networks.Described;

/// <summary>Which parameters of the pretrained network stay as they are. New layers are always trained.</summary>
public abstract record BaseFreezing
{
    private BaseFreezing()
    {
    }

    /// <summary>The whole pretrained network stays as it is; its features are computed once for each training row.</summary>
    public static BaseFreezing All { get; } = new FreezeAll();

    /// <summary>All is trained.</summary>
    public static BaseFreezing None { get; } = new FreezeNone();

    /// <summary>All but the last layers with parameters stays as it is.</summary>
    /// <param name="trainableLayers">How many layers are trained.</param>
    public static BaseFreezing AllButLast(int trainableLayers)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(trainableLayers);
        return new FreezeAllButLast(trainableLayers);
    }

    /// <summary>
    /// Parameters whose name matches one of the patterns with <c>*</c> and <c>?</c> stay as they are, such as <c>features.0.*</c>.
    /// </summary>
    public static BaseFreezing Matching(params IReadOnlyList<string> patterns)
    {
        ArgumentNullException.ThrowIfNull(patterns);
        return new FreezeMatching([.. patterns]);
    }

    /// <summary>Sets which parameters need gradients.</summary>
    /// <exception cref="ArgumentException">The rule does not fit the network; nothing has changed then.</exception>
    internal void Apply(BaseNetwork network)
    {
        var frozen = Frozen(network);
        foreach (var (name, parameter) in network.Parameters)
            parameter.requires_grad = !frozen.Contains(name);
    }

    private protected abstract HashSet<string> Frozen(BaseNetwork network);

    private sealed record FreezeAll : BaseFreezing
    {
        private protected override HashSet<string> Frozen(BaseNetwork network) => [.. network.Parameters.Select(p => p.Key)];
    }

    private sealed record FreezeNone : BaseFreezing
    {
        private protected override HashSet<string> Frozen(BaseNetwork network) => network.Parameters.Count > 0
            ? []
            : throw NothingToTrain(network);
    }

    private sealed record FreezeAllButLast(int TrainableLayers) : BaseFreezing
    {
        private protected override HashSet<string> Frozen(BaseNetwork network)
        {
            var layers = network.Parameters.Select(p => network.LayerOf(p.Key)).Distinct().ToList();
            if (TrainableLayers > layers.Count)
            {
                throw layers.Count == 0 ? NothingToTrain(network) : new ArgumentException(
                    $"{nameof(AllButLast)}({TrainableLayers}) asks for more layers than the {layers.Count} with parameters of "
                        + $"{network.Description}.");
            }

            var first = layers.SkipLast(TrainableLayers).ToHashSet();
            return [.. network.Parameters.Select(p => p.Key).Where(name => first.Contains(network.LayerOf(name)))];
        }
    }

    private sealed record FreezeMatching(IReadOnlyList<string> Patterns) : BaseFreezing
    {
        private protected override HashSet<string> Frozen(BaseNetwork network)
        {
            if (network.Parameters.Count == 0)
                throw NothingToTrain(network);
            var frozen = new HashSet<string>();
            foreach (var pattern in Patterns)
            {
                var names = network.Parameters.Select(p => p.Key)
                    .Where(name => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false)).ToList();
                if (names.Count == 0)
                {
                    throw new ArgumentException(
                        $"Freezing pattern '{pattern}' matches no parameter of {network.Description}. "
                            + $"Names look like '{network.Parameters[0].Key}'.");
                }

                frozen.UnionWith(names);
            }

            return frozen;
        }
    }

    private static ArgumentException NothingToTrain(BaseNetwork network) => new(
        $"{network.Description} has no parameters that can be trained; use {nameof(BaseFreezing)}.{nameof(All)}.");
}
