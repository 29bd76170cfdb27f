namespace MLTransfer.Torch.Training.Reports;

/// <summary>Folders of a run that hold nothing any more.</summary>
internal static class EmptyFolder
{
    /// <summary>Deletes a folder unless it holds something, such as a file of the user's.</summary>
    public static void Delete(string folder)
    {
        if (Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
            Directory.Delete(folder);
    }
}
