// ML.NET's ModelSaveContext, ModelLoadContext, VersionInfo and LoadableClassAttribute are internal, and without them no transformer
// outside ML.NET can be saved to or loaded from a model file. The build compiles against a copy of the assembly in which they are public
// (eng/PublicizedReference.targets); this attribute, which the runtime knows by name, gives access to the real ones.
[assembly: System.Runtime.CompilerServices.IgnoresAccessChecksTo("Microsoft.ML.Core")]

namespace System.Runtime.CompilerServices;

[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
internal sealed class IgnoresAccessChecksToAttribute(string assemblyName) : Attribute
{
    public string AssemblyName { get; } = assemblyName;
}
