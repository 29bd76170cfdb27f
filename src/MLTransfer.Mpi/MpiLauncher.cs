using System.Globalization;

namespace MLTransfer.Mpi;

/// <summary>What started this process, as far as its environment tells.</summary>
internal static class MpiLauncher
{
    /// <summary>Whose launcher it is.</summary>
    public enum LauncherKind
    {
        /// <summary>It does not say.</summary>
        Unknown,

        /// <summary>Open MPI's <c>mpirun</c>, or what speaks PMIx.</summary>
        OpenMpi,

        /// <summary>Hydra, the <c>mpirun</c> of MPICH and its kin, or what speaks PMI.</summary>
        Mpich,
    }

    public static LauncherKind Kind =>
        (Read("OMPI_COMM_WORLD_SIZE") ?? Read("PMIX_RANK")) is not null ? LauncherKind.OpenMpi
        : Read("PMI_SIZE") is not null ? LauncherKind.Mpich : LauncherKind.Unknown;

    /// <summary>How many processes it started; null where it does not say.</summary>
    public static int? Size => Read("OMPI_COMM_WORLD_SIZE") ?? Read("PMI_SIZE") ?? Read("SLURM_STEP_NUM_TASKS");

    private static int? Read(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : null;
}
