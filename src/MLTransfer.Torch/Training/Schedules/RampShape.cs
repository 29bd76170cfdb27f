using System.Text.Json.Serialization;

namespace MLTransfer.Torch.Training.Schedules;

/// <summary>How a learning rate rises or falls between two values (<c>warmup_type</c>, <c>decay_type</c>).</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RampShape>))]
public enum RampShape
{
    /// <summary>In a straight line.</summary>
    Linear,

    /// <summary>Along a part of a cosine wave.</summary>
    Cosine,

    /// <summary>By a square root of what is behind: falling as 1 - sqrt(p), rising as its mirror image (<c>1-sqrt</c>).</summary>
    OneMinusSquareRoot,
}
