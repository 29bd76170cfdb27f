using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Training;

/// <summary>Progress that <c>metrics.jsonl</c> has a line for.</summary>
/// <typeparam name="TSelf">The implementing type.</typeparam>
internal interface ITrainingReport<TSelf>
    where TSelf : class, ITrainingReport<TSelf>
{
    /// <summary>Optimizer steps done.</summary>
    int Step { get; }

    /// <summary>The line's entries. Numbers that are NaN or infinite are left out: JSON has none.</summary>
    JsonObject ToJson();

    /// <summary>What a line tells, as far as a plot needs it. May throw what <see cref="JsonNode"/> throws on a malformed one.</summary>
    static abstract TSelf FromJson(JsonNode line);
}
