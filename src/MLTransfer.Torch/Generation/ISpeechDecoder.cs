using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Sounds;

namespace MLTransfer.Torch.Generation;

/// <summary>A network that speaks characters, whatever library computes it. For several threads at once.</summary>
internal interface ISpeechDecoder
{
    /// <summary>The number of character ids.</summary>
    int VocabularySize { get; }

    /// <summary>Samples a second of sounds.</summary>
    int SampleRate { get; }

    /// <summary>The number of voices.</summary>
    int SpeakerCount { get; }

    /// <summary>Begins to speak; the network stays even if it is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The network is disposed.</exception>
    UseCount.Hold Hold();

    /// <summary>Refuses options that the network cannot follow.</summary>
    /// <exception cref="ArgumentException">There is one; the message names it.</exception>
    void Check(SpeechOptions options);

    /// <summary>Speaks while the network is held.</summary>
    /// <param name="ids">Characters, at least one.</param>
    /// <param name="speaker">The voice; null for a network of one.</param>
    /// <param name="seed">Decides what is drawn.</param>
    /// <param name="options">Checked options.</param>
    Waveform Speak(int[] ids, int? speaker, long seed, SpeechOptions options);
}
