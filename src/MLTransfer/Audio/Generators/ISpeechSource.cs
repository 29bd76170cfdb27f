using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Sounds;

namespace MLTransfer.Audio.Generators;

/// <summary>A transformer that speaks for requests, if its network does.</summary>
internal interface ISpeechSource
{
    /// <summary>Whether the network is a VITS.</summary>
    bool Speaks { get; }

    /// <summary>How texts are spoken where a request does not say; null for defaults.</summary>
    SpeechOptions? Speech { get; }

    /// <summary>Speaks a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="voice">The name or the number of a speaker; null for that of the options.</param>
    /// <param name="seed">Decides what is drawn; null for what the first row of a table draws.</param>
    /// <param name="options">How the text is spoken; null for defaults.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <exception cref="ArgumentException">There is no such speaker, or an option is not valid.</exception>
    /// <exception cref="ObjectDisposedException">The transformer is disposed.</exception>
    Waveform Speak(string text, string? voice, long? seed, SpeechOptions? options, CancellationToken cancellationToken);
}
