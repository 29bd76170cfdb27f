namespace MLTransfer.Torch.Training.Reports;

/// <summary>A picture or a sound, as the content of a file.</summary>
/// <param name="Input">What it was made from.</param>
/// <param name="MediaType"><c>image/png</c> or <c>audio/wav</c>.</param>
/// <param name="Content">The file's bytes.</param>
public sealed record MediaAnswer(string Input, string MediaType, byte[] Content) : SampleAnswer(Input)
{
    internal const string Picture = "image/png";
    internal const string Sound = "audio/wav";

    /// <summary>Where the content lies in the run's folder already; null where it does not.</summary>
    internal string? File { get; init; }

    /// <summary>A sound's picture, a PNG file; null for pictures, and for sounds that cannot be drawn.</summary>
    internal byte[]? Plot { get; init; }
}
