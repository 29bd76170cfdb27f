// ML.NET's ModelSaveContext, ModelLoadContext, VersionInfo and LoadableClassAttribute are internal, and without them no transformer
// outside ML.NET can be saved to or loaded from a model file; so is the way from a catalog to its environment. The build compiles against
// copies of the assemblies in which they are public (eng/PublicizedReference.targets); this attribute, which the runtime knows by name,
// gives access to the real ones.
[assembly: System.Runtime.CompilerServices.IgnoresAccessChecksTo("Microsoft.ML.Core")]
[assembly: System.Runtime.CompilerServices.IgnoresAccessChecksTo("Microsoft.ML.Data")]

namespace System.Runtime.CompilerServices;

[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
internal sealed class IgnoresAccessChecksToAttribute(string assemblyName) : Attribute
{
    public string AssemblyName { get; } = assemblyName;
}
