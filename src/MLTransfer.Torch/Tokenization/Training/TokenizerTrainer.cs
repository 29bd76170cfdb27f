using System.Text.Json.Nodes;
using MLTransfer.Torch.Tokenization.Models;

namespace MLTransfer.Torch.Tokenization.Training;

/// <summary>Makes a tokenizer of texts: counts their words, finds tokens, and writes the files that it is then loaded from.</summary>
internal static class TokenizerTrainer
{
    private const int ReportEvery = 1 << 10; // texts

    public static TextTokenizer Train(IEnumerable<string> texts, TokenizerTrainingOptions options, TrainingWatch watch)
    {
        options.Check();
        (string Word, long Count)[] words = CountWords(texts, options, watch);
        string unknown = options.Specials.Unknown ?? "";
        JsonObject model = options.Kind switch
        {
            TokenizerKind.ByteLevelBytePairs => ModelJson.BytePairs(BytePairTraining.OnBytes(words, options, watch)),
            TokenizerKind.WordPiece => ModelJson.WordPiece(
                BytePairTraining.OnCharacters(words, options.ContinuingPrefix, options, watch).Tokens, options.ContinuingPrefix, unknown),
            TokenizerKind.Unigram => ModelJson.Unigram(UnigramTraining.Run(words, options, watch), unknown),
            _ => ModelJson.WordLevel(WordLevelTraining.Run(words, options), unknown),
        };
        return TextTokenizer.Load(TrainedFiles.Of(options, model));
    }

    /// <summary>The words that the tokenizer's model will see, without special tokens.</summary>
    private static (string Word, long Count)[] CountWords(IEnumerable<string> texts, TokenizerTrainingOptions options, TrainingWatch watch)
    {
        // The stages are read from the file that is written in the end; of its model only the place is needed.
        TokenizerDescription stages = TokenizerJson.Read(TrainedFiles.Of(options, ModelJson.WordLevel([.. options.Specials.All, ""], ""))[
            TokenizerFiles.Tokenizer]);
        var counter = new WordCounter();
        var pipeline = new TokenizerPipeline(
            stages with { Model = counter, PreTokenizer = stages.WithoutWrittenBytes() ?? stages.PreTokenizer }, counter.Vocabulary,
            stages.AddedTokens.ToDictionary(added => added.Token.Content, StringComparer.Ordinal));
        var tokens = new TokenBuffer(16, keepsUnits: false);
        long read = 0;
        watch.Report(TokenizerTrainingStage.Reading, 0);
        foreach (string text in texts)
        {
            ArgumentNullException.ThrowIfNull(text, nameof(texts));
            pipeline.Encode(text, splitsSpecial: false, tokens);
            tokens.Clear();
            if (++read % ReportEvery == 0)
                watch.Report(TokenizerTrainingStage.Reading, read);
            else
                watch.Check();
        }

        watch.Report(TokenizerTrainingStage.Reading, read);
        (string Word, long Count)[] words = counter.ToWords();
        return words.Length > 0 ? words : throw new ArgumentException(
            $"There is nothing to train a tokenizer on: none of the {read} texts has a word.", nameof(texts));
    }
}
