using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Models.Tests;

/// <summary>
/// The sample's text, cut as the reference's recipe cuts it: each file in one piece, blocks of 256 tokens, the last one dropped.
/// </summary>
internal static class MarsTexts
{
    public static string ReferenceFile(string name) => RepositoryFiles.Data($"tales/{name}");

    public static int[] Tokens(string part) => TextTokenizer.Load(TalesModel.Folder)
        .Encode(File.ReadAllText(Path.Combine(RepositoryFiles.Root, "samples", "TextGeneration", "data", "mars", part + ".txt")));

    public static IReadOnlyList<TrainingExample> Blocks(string part) => TrainingExamples.Blocks(Tokens(part), 256);
}
