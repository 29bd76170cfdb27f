using Microsoft.ML;

namespace MLTransfer;

/// <summary>What the library adds to <see cref="MLContext"/>.</summary>
public static class MLContextExtensions
{
    extension(MLContext mlContext)
    {
        /// <summary>Pretrained generators, and the evaluation and export of fine-tuned ones.</summary>
        public GenerationCatalog Generation
        {
            get
            {
                ArgumentNullException.ThrowIfNull(mlContext);
                return new GenerationCatalog(mlContext);
            }
        }
    }
}
