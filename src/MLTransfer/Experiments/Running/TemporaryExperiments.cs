using System.Globalization;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Experiments.Running;

/// <summary>
/// Folders of experiments that were given none, for what trials in processes of their own leave. They go when the program ends.
/// </summary>
internal static class TemporaryExperiments
{
    /// <summary>Tells the process of a trial where they are.</summary>
    public const string Variable = "MLTRANSFER_EXPERIMENTS";

    private static readonly Lazy<string> s_root = new(() => Environment.GetEnvironmentVariable(Variable) ?? Create());

    /// <summary>The folder that all are in.</summary>
    public static string Root => s_root.Value;

    /// <param name="experiment">Its number in the program.</param>
    public static string FolderOf(int experiment) =>
        Path.Combine(Root, string.Create(CultureInfo.InvariantCulture, $"experiment-{experiment}"));

    private static string Create()
    {
        var name = Path.Combine(Path.GetTempPath(), "mltransfer-experiments");
        TemporarySibling.DeleteAbandonedFolders(name); // of programs that were killed
        var (root, hold) = TemporarySibling.LockNewFolder(name);
        Directory.CreateDirectory(root);
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            try
            {
                Directory.Delete(root, recursive: true);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // A file is in use: the next program deletes it.
            }

            hold.Dispose();
        };
        return root;
    }
}
