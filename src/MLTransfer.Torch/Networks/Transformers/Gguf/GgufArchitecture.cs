using System.Collections.Immutable;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Networks.Transformers.Gguf;

/// <summary>What llama.cpp computes for the files of one <c>general.architecture</c>, as far as families of one name differ.</summary>
/// <param name="Name">The value of <c>general.architecture</c>, which its keys begin with.</param>
/// <param name="ModelTypes">The families that become such files.</param>
/// <param name="Configure">Makes a <c>config.json</c> of a file's metadata.</param>
internal sealed record GgufArchitecture(string Name, ImmutableArray<string> ModelTypes, Func<GgufEntries, JsonObject> Configure)
{
    /// <summary>The activations that its feed-forward layers may have.</summary>
    public ImmutableArray<Activation> Activations { get; init; } = [Activation.Silu];

    /// <summary>Whether values 2i and 2i + 1 of a head are turned together, so that rows of queries and keys are reordered.</summary>
    public bool TurnsNeighbours { get; init; }

    /// <summary>Whether a part of each head's values may be turned.</summary>
    public bool TurnsParts { get; init; }

    /// <summary>The kinds of scalings of rotations that it knows.</summary>
    public ImmutableArray<Type> Scalings { get; init; } = [typeof(LinearScaling), typeof(YarnScaling)];

    /// <summary>Whether it reads what each frequency is divided by.</summary>
    public bool TakesDivisors { get; init; }

    /// <summary>Where linear layers may have biases.</summary>
    public GgufBiases Biases { get; init; }

    /// <summary>Whether a file must have <c>output.weight</c>, also where it is the table of tokens.</summary>
    public bool NeedsOutput { get; init; }

    /// <summary>Tensors that files have and nothing reads.</summary>
    public ImmutableArray<string> Ignored { get; init; } = [];

    /// <summary>Whether files tell the heads of keys and values, <c>rope.freq_base</c> and the width of a head.</summary>
    public bool TellsHeads { get; init; } = true;

    /// <summary>Whether files tell <c>vocab_size</c>.</summary>
    public bool TellsVocabulary { get; init; }

    /// <summary>Whether files tell that no space is put before a text, whatever the tokenizer is.</summary>
    public bool TellsSpaces { get; init; }

    /// <summary>Whether files tell <c>rope.dimension_count</c>.</summary>
    public bool TellsTurnedWidth { get; init; }

    /// <summary>Whether scores may have a soft cap, and logits.</summary>
    public bool CapsScores { get; init; }

    /// <summary>The layers that slide, by their number and what <see cref="WindowPattern"/> gives; null where windows are not
    /// known.</summary>
    public Func<int, int, bool>? Slides { get; init; }

    /// <summary>The period of the layers that do not slide; 0 where they have none.</summary>
    public Func<Stack, int> WindowPattern { get; init; } = _ => 0;

    /// <summary>What queries times keys are multiplied with, by the stack.</summary>
    public Func<Stack, double> Scale { get; init; } = stack => 1 / Math.Sqrt(stack.Blocks[0].Self.HeadWidth);

    /// <summary>Adds keys of this architecture alone.</summary>
    public Action<GgufKeys> AddKeys { get; init; } = _ => { };

    /// <summary>Refuses what this architecture alone cannot tell.</summary>
    public Action<Transformer, Action<bool, string>> Check { get; init; } = (_, _) => { };
}

/// <summary>Where linear layers of an architecture may have biases.</summary>
[Flags]
internal enum GgufBiases
{
    None = 0,

    /// <summary>Of queries, keys and values.</summary>
    Inputs = 1,

    /// <summary>Of attention's output.</summary>
    Output = 2,

    /// <summary>Of feed-forward layers.</summary>
    Feed = 4,

    /// <summary>Everywhere, and a file without them is not read: those that a network has not are 0.</summary>
    Needed = 15,
}
