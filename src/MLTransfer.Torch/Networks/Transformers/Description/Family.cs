using System.Collections.Immutable;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Networks.Transformers.Description;

/// <summary>A row of the registry: the checkpoints of one <c>model_type</c>.</summary>
/// <param name="ModelType">The value in <c>config.json</c>.</param>
/// <param name="Architectures">The classes whose checkpoints are read, as <c>architectures</c> names them; a file that names others
/// only is refused.</param>
/// <param name="Describe">What a <c>config.json</c> says.</param>
internal sealed record Family(string ModelType, ImmutableArray<string> Architectures, Func<ConfigurationReader, Transformer> Describe)
{
    /// <summary>What checkpoints of the bare base model leave out of names, such as <c>transformer.</c>.</summary>
    public string BasePrefix { get; init; } = "";

    /// <summary>The linear layers that adapters are put on where nobody says which.</summary>
    public required ImmutableArray<string> LoraTargets { get; init; }

    /// <summary>Tensors of checkpoints that are no parameters, with <c>*</c> for any characters: buffers, heads of other tasks.</summary>
    public ImmutableArray<string> Ignored { get; init; } = [];

    /// <summary>Parts of names in older checkpoints, and what they are called now.</summary>
    public ImmutableArray<(string Old, string New)> Renamed { get; init; } = [];

    /// <summary>Entries of <c>config.json</c> that this family's files have and that change nothing.</summary>
    public ImmutableArray<string> Harmless { get; init; } = [];

    /// <summary>Other spellings of entries of <c>config.json</c>, and those that are read.</summary>
    public ImmutableArray<(string Other, string Read)> Spellings { get; init; } = [];

    /// <summary>Why the decoding step has no row kernels for this family; null where it has.</summary>
    public string? WithoutRowKernels { get; init; }

    /// <summary>The noise that plain texts train an encoder with a decoder by.</summary>
    public PretrainingNoise Noise { get; init; }

    /// <summary>What a <c>config.json</c> says.</summary>
    /// <exception cref="InvalidDataException">An entry is missing or malformed.</exception>
    /// <exception cref="NotSupportedException">An entry is not known, or asks for what is not supported; the message names it.</exception>
    public Transformer Read(ConfigurationReader configuration)
    {
        var entries = configuration.With(Spellings);
        var transformer = Describe(entries);
        entries.RefuseUnread(key => CommonEntries.Contains(key) || Harmless.Contains(key));
        return transformer;
    }
}
