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

    /// <summary><c>mlContext.Generation</c> for languages without extension properties: C# before 14, F#, Visual Basic.</summary>
    public static GenerationCatalog GetGeneration(this MLContext mlContext) => mlContext.Generation;
}
