namespace MLTransfer.Torch.Tests;

/// <summary>Finds the repository's files from the folder that the tests run in.</summary>
internal static class RepositoryFiles
{
    public static string Root { get; } = FindRoot();

    /// <summary>The full path of a file or folder under tests/data.</summary>
    public static string Data(string relativePath) => Path.Combine(Root, "tests", "data", relativePath);

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "MLTransfer.sln"))) return folder.FullName;
        }
        throw new DirectoryNotFoundException($"No folder above '{AppContext.BaseDirectory}' holds MLTransfer.sln.");
    }
}
