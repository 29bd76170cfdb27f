using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Training.Audio;
using Microsoft.ML;

namespace MLTransfer.Audio.Generators;

/// <summary>A transformer whose sounds can be measured. Every member may be called while others use or dispose the transformer.</summary>
internal interface IAudioEvaluation
{
    /// <summary>The model, which stays the transformer's: a music model or a speech model.</summary>
    /// <exception cref="ObjectDisposedException">The transformer is disposed.</exception>
    AudioGenerationModel Model { get; }

    /// <summary>The loss of the codes of real music, by codebook, with the captions that training reads.</summary>
    /// <param name="data">Rows with sounds and, where the transformer has such a column, captions.</param>
    /// <param name="soundColumn">The column of sounds.</param>
    /// <param name="cancellationToken">Stops the evaluation.</param>
    /// <exception cref="ArgumentException">The model is no MusicGen, a column is missing or of another type, or there are no
    /// rows.</exception>
    /// <exception cref="InvalidOperationException">A row's sound is missing or not usable; the message names row and column.</exception>
    MusicEvaluationResult EvaluateCodes(IDataView data, string soundColumn, CancellationToken cancellationToken);

    /// <summary>The real sounds of a column, checked to be of the model's rate and channels, or converted where the options say
    /// so.</summary>
    /// <exception cref="ArgumentException">The column is missing or of another type.</exception>
    /// <exception cref="InvalidOperationException">A row's sound is missing or not usable; the message names row and column.</exception>
    IEnumerable<Waveform> ReadSounds(IDataView data, string soundColumn, CancellationToken cancellationToken);

    /// <summary>The sounds that the model makes for rows, one after another, as <see cref="ITransformer.Transform"/> does.</summary>
    /// <exception cref="ArgumentException">An input column is missing or of another type.</exception>
    IEnumerable<Waveform> GenerateSounds(IDataView data, CancellationToken cancellationToken);
}
