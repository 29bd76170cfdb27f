using System.Diagnostics;

namespace MLTransfer.Torch.Tests.TrainingProcess;

/// <summary>Ends the process while it deletes a checkpoint.</summary>
internal static class DeathInADeletion
{
    private static bool s_isPrepared;

    /// <summary>Lets the deletion take long, and watches for its beginning.</summary>
    public static void Prepare(string checkpoint)
    {
        if (s_isPrepared)
            return;
        s_isPrepared = true;
        for (var i = 0; i < 30_000; i++)
            File.WriteAllBytes(Path.Combine(checkpoint, $"{i}"), []);
        new Thread(() =>
        {
            while (File.Exists(Path.Combine(checkpoint, "trainer_state.json")))
                Thread.SpinWait(100);
            Process.GetCurrentProcess().Kill();
        }) { IsBackground = true }.Start();
    }
}
