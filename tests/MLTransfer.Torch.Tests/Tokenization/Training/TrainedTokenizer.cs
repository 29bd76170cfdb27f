using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization.Training;

/// <summary>Training that ends with the test run.</summary>
internal static class TrainedTokenizer
{
    public static TextTokenizer Of(IEnumerable<string> texts, TokenizerTrainingOptions? options = null) =>
        TextTokenizer.Train(texts, options, cancellationToken: TestContext.Current.CancellationToken);
}
