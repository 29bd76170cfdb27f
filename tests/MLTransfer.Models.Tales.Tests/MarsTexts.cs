using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training;

namespace MLTransfer.Models.Tests;

/// <summary>The sample's text, cut as the reference's recipe cuts it: each file in one piece, blocks of 256 tokens, the last one dropped.</summary>
internal static class MarsTexts
{
    public static string Root { get; } = FindRoot();

    public static string ReferenceFile(string name) => Path.Combine(Root, "tests", "data", "tales", name);

    public static int[] Tokens(string part) => TextTokenizer.Load(TalesModel.Folder)
        .Encode(File.ReadAllText(Path.Combine(Root, "samples", "TextGeneration", "data", "mars", part + ".txt")));

    public static IReadOnlyList<TrainingExample> Blocks(string part) => TrainingExamples.Blocks(Tokens(part), 256);

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "MLTransfer.sln")))
                return folder.FullName;
        }

        throw new DirectoryNotFoundException($"No folder above '{AppContext.BaseDirectory}' holds MLTransfer.sln.");
    }
}
