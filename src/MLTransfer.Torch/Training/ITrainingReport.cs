using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Training;

/// <summary>Progress that a line of <c>metrics.jsonl</c> can be read back as.</summary>
/// <typeparam name="TSelf">The implementing type.</typeparam>
internal interface ITrainingReport<TSelf>
    where TSelf : RunProgress, ITrainingReport<TSelf>
{
    /// <summary>What a line tells, as far as a plot needs it. May throw what <see cref="JsonNode"/> throws on a malformed one.</summary>
    static abstract TSelf FromJson(JsonNode line);
}
