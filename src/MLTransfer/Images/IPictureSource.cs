using MLTransfer.Torch.Generation.Images;
using Microsoft.ML.Data;

namespace MLTransfer.Images;

/// <summary>A transformer that makes pictures for requests.</summary>
internal interface IPictureSource
{
    /// <summary>Pixels along a picture's side.</summary>
    int PictureSide { get; }

    /// <summary>What messages and clients call the network, such as <c>dalle</c>.</summary>
    string NetworkName { get; }

    /// <summary>Makes pictures.</summary>
    /// <param name="prompt">A caption; of a StyleGAN2 with labels the number of a class, from 0. Null or empty for none.</param>
    /// <param name="count">How many pictures, each of a draw of its own.</param>
    /// <param name="seed">Decides what is drawn; null for the transformer's seed.</param>
    /// <param name="options">How codes are drawn; null as the transformer does. Not for a StyleGAN2.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <exception cref="ArgumentException">The network makes no picture of such a prompt, or an option is not valid.</exception>
    /// <exception cref="ObjectDisposedException">The transformer is disposed.</exception>
    IReadOnlyList<MLImage> MakePictures(
        string? prompt, int count, long? seed, ImageGenerationOptions? options, CancellationToken cancellationToken);
}
